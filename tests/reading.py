"""How hard is an English text to read?  Flesch and Kincaid's grade, with syllables counted by their vowels.

No dictionary must be fetched for it, and it errs to the hard side.
"""

import re

SILENT = re.compile(r"(?:[^laeiouy]e|es|[^td]ed)$")


def syllables(word):
    word = word.lower()
    return max(1, len(re.findall(r"[aeiouy]+", SILENT.sub("", word))))


def grade(text):
    """The grade of a school in the United States in which the text is understood."""
    sentences = [part for part in re.split(r"[.!?:]\s|\n", f"{text} ") if re.search(r"[A-Za-z]", part)]
    words = re.findall(r"[A-Za-z']+", text)
    return 0.39 * len(words) / len(sentences) + 11.8 * sum(map(syllables, words)) / len(words) - 15.59
