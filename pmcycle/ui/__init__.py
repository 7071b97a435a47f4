"""The face of pmcycle: formats, charts and components that every page uses."""
