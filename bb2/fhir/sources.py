"""Which source holds which resource type?"""

from reprlib import repr as short

from bb2.plugins import at_start, calls
from bb2.scopes import ScopeError


def collect_sources(manager, settings, default, resources):
    """{resource type: FhirSource}: the plugins' own where they bring one, the default for the other `resources`."""
    sources, brought_by = {}, {}
    for plugin, call in calls(manager.hook.register_fhir_sources, settings=settings):
        for resource_type, source in _brought(plugin, manager.hook.register_fhir_sources, call).items():
            if resource_type not in resources:
                raise ScopeError(
                    f"{plugin} brings records of {resource_type}, which no scope opens; "
                    f"opened: {', '.join(sorted(resources))}"
                )
            if resource_type in sources:
                raise ScopeError(
                    f"two plugins hold the records of {resource_type}: {brought_by[resource_type]} and {plugin}; "
                    "switch one of them off in bb2.scopes"
                )
            sources[resource_type], brought_by[resource_type] = source, plugin
    return {resource_type: sources.get(resource_type, default) for resource_type in resources}


def _brought(plugin, hook, call):
    """{resource type: FhirSource}, as the plugin returns it."""
    with at_start(plugin, hook):
        sources = call() or {}
        if not isinstance(sources, dict):
            raise ScopeError(f"{hook.name} returns {short(sources)}; accepted: {{resource type: FhirSource}}")
        for resource_type, source in sources.items():
            if lacking := [name for name in ("read", "search") if not callable(getattr(source, name, None))]:
                raise ScopeError(f"its source of {resource_type}, {short(source)}, has no {' and no '.join(lacking)}")
    return sources
