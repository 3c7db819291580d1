"""Which counts of a table can be published, so that none of fewer than 11 people stands there or can be worked out?"""

LEAST = 11  # CMS's cell size suppression policy: no count of 10 or fewer, nor what would give one away


def published(table, people):
    """The table with its sums, as it can be published: None stands for what is left out.

    `table` is rows of counts, all equally long; `people`, of the same form, how many people are behind each.  Each row
    comes back with its sum at its end, and the sums of the columns as a last row.  A sum is published when everything
    in it is: so none gives away what is left out.
    """
    shown = [
        [count if behind >= LEAST else None for count, behind in zip(*rows, strict=True)]
        for rows in zip(table, people, strict=True)
    ]
    shown.append([_sum(column) for column in zip(*shown, strict=True)])
    return [[*row, _sum(row)] for row in shown]


def _sum(counts):
    return None if None in counts else sum(counts)


def both(*people):
    """Can two numbers that together are everybody be published?  Each would give the other away."""
    return all(number >= LEAST for number in people)
