"use strict";
// A list of versions above the contents; the same page of the chosen one, or its first where it lacks this page.
document.addEventListener("DOMContentLoaded", () => {
  const { here, all } = window.documentationVersions ?? { all: [] };
  const brand = document.querySelector(".sidebar-brand");
  if (all.length < 2 || !brand) return;
  const root = new URL(document.documentElement.dataset.content_root, location.href);  // of this version
  const page = decodeURI(location.href.split(/[?#]/)[0]).slice(decodeURI(root.href).length) || "index.html";
  const list = document.createElement("select");
  for (const { name } of all) list.add(new Option(name, name, false, name === here));
  list.addEventListener("change", () => {
    const { name, lacks } = all[list.selectedIndex];
    location.href = new URL(`../${name}/${lacks.includes(page) ? "index.html" : page}`, root);
  });
  window.addEventListener("pageshow", () => { list.value = here; });  // after 'back' as well
  const label = document.createElement("label");
  label.className = "versions";
  label.append("Version ", list);
  brand.after(label);
});
