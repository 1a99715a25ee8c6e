"""Pages read as a browser reads them, by the parser of the standard library."""

import base64
import re
from html.parser import HTMLParser

VOID = {"meta", "br", "img", "input", "link", "hr"}
UNSEEN = {"script", "style"}


class Page(HTMLParser):
    """Elements in order, texts that are seen, scripts, and what the policy says."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.elements, self.scripts, self.seen, self.open = [], [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, name, attributes):
        self.elements.append((name, dict(attributes)))
        if name not in VOID:
            self.open.append(name)
        if name == "script":
            self.scripts.append((dict(attributes), ""))

    def handle_startendtag(self, name, attributes):
        self.elements.append((name, dict(attributes)))

    def handle_endtag(self, name):
        assert self.open.pop() == name, f"</{name}> closes nothing"

    def handle_data(self, data):
        if self.open and self.open[-1] == "script":
            self.scripts[-1] = (self.scripts[-1][0], self.scripts[-1][1] + data)
        elif not set(self.open) & UNSEEN:
            self.seen.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.seen).split())

    @property
    def policy(self):
        return next(said["content"] for name, said in self.elements if said.get("http-equiv"))

    def headings(self, *levels):
        return [said.get("id") for name, said in self.elements if name in levels]

    def attributes(self, name, key):
        return [said[key] for element, said in self.elements if element == name and key in said]

    def downloads(self):
        """Name and bytes of what links of the page save."""
        links = [said for name, said in self.elements if name == "a" and "download" in said]
        return {one["download"]: base64.b64decode(re.sub("^[^,]*,", "", one["href"])) for one in links}


def read(path):
    return Page(path.read_text(encoding="utf-8"))
