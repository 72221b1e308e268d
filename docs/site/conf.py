"""Settings of the site of the documentation (`make docs`)."""

project = "Dismai-Bench"
extensions = ["myst_parser"]
source_suffix = {".md": "markdown"}
root_doc = "index"
html_theme = "furo"
html_title = "Dismai-Bench"
html_copy_source = False
html_show_sphinx = False
html_theme_options = {
    "light_css_variables": {"color-brand-primary": "#0b57a4", "color-brand-content": "#0b57a4"},
    "dark_css_variables": {"color-brand-primary": "#7cb7f0", "color-brand-content": "#7cb7f0"},
}
html_static_path = ["site.css", "site.js"]
html_css_files = ["site.css"]
html_js_files = ["site.js"]
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 6
