"""How Sphinx builds the documentation."""  # noqa: INP001 - Sphinx runs it by its path

from importlib.metadata import version as installed_version

project = "hotspan"
author = "The hotspan authors"
release = installed_version("hotspan")

extensions = ["myst_parser"]
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = f"hotspan {release}"
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
nitpicky = True
