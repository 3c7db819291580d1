"""Which source holds which resource type?"""

from bb2.scopes import ScopeError


def collect_sources(manager, settings, default, resources):
    """{resource type: FhirSource}: the plugins' own where they bring one, the default for the other `resources`."""
    sources, brought_by = {}, {}
    for implementation in manager.hook.register_fhir_sources.get_hookimpls():
        arguments = {"settings": settings} if "settings" in implementation.argnames else {}
        for resource_type, source in (implementation.function(**arguments) or {}).items():
            if resource_type not in resources:
                raise ScopeError(
                    f"{implementation.plugin_name} brings records of {resource_type}, which no scope opens; "
                    f"opened: {', '.join(sorted(resources))}"
                )
            if resource_type in sources:
                raise ScopeError(
                    f"two plugins hold the records of {resource_type}: {brought_by[resource_type]} and "
                    f"{implementation.plugin_name}; switch one of them off in bb2.scopes"
                )
            sources[resource_type], brought_by[resource_type] = source, implementation.plugin_name
    return {resource_type: sources.get(resource_type, default) for resource_type in resources}
