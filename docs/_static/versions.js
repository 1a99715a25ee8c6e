// Which versions stand beside this one: 'make docs-versions' writes it anew.  One alone has no switcher.
window.documentationVersions = { here: "", all: [] };
