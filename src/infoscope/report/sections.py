"""The sections of a page, from top to bottom."""

from __future__ import annotations

import base64
import json
import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from infoscope.io.result_files import record_text

from .answers import RECORD, Answer
from .charts import chart_data, chart_of, rows_of_chart
from .comparison import comparisons
from .drawing import try_drawing
from .explorer import explorer_of, rows_of_groups
from .markup import table_of, tag, text_of

SHORT_HASH = 12
NO_POINTS = (
    "This page was made from a record, which holds the numbers and not the points: there is no picture. "
    "The .npz file of the same result has them."
)


def contents_of(answers: Sequence[Answer]) -> str:
    """The list of contents, and what can be compared, of a page of several results."""
    links = [
        tag(
            "li",
            [
                tag("a", text_of(answer.name), href=f"#result-{number}"),
                f": {text_of(answer.record.get('verdict') or '')}",
            ],
        )
        for number, answer in enumerate(answers, start=1)
    ]
    parts = [tag("nav", [tag("h2", "Contents", id="contents"), tag("ol", links)], aria_labelledby="contents")]
    for kind, header, rows in comparisons(answers):
        heading = tag("h2", text_of(f"{kind}: {len(rows)} results side by side"))
        parts.append(tag("section", [heading, table_of(header, rows, "Each value with its standard error")]))
    return "".join(parts)


def article_of(answer: Answer, number: int, *, alone: bool) -> str:
    """One result, from the question to the record."""
    head = "h1" if alone else "h2"
    parts = [
        tag("p", text_of(answer.question), class_="question") if answer.question else "",
        tag(head, text_of(answer.name if not alone else answer.title), id=f"title-{number}"),
        tag("p", text_of(answer.title), class_="title") if not alone and answer.title != answer.name else "",
        tag("p", text_of(answer.record.get("verdict") or ""), class_="verdict"),
        *(
            tag("p", [tag("strong", "Warning: "), text_of(text)], class_="warning", role="note")
            for text in answer.texts("warnings")
        ),
        *_sections(answer, number, "h2" if alone else "h3"),
    ]
    return tag("article", parts, id=f"result-{number}", aria_labelledby=f"title-{number}")


# --------------------------------------------------------------------------------------------------------------- steps
def _sections(answer: Answer, number: int, head: str) -> Iterator[str]:
    def section(title: str, *inside: str, name: str) -> str:
        heading = tag(head, text_of(title), id=f"{name}-{number}")
        return tag("section", [heading, *inside], aria_labelledby=f"{name}-{number}", class_=name)

    chart = chart_data(answer)
    if answer.estimates or answer.table:
        yield section("The numbers", *_numbers(answer, chart), name="numbers")
    yield section("The picture", _picture(answer, chart, number), name="picture")
    if notes := answer.texts("notes"):
        yield section("Notes", tag("ul", [tag("li", text_of(note)) for note in notes]), name="notes")
    yield section("How it was computed", *_history(answer), name="history")
    yield section("Run it again", *_again(answer, number), name="again")
    if cite := answer.record.get("cite"):
        copied = _copied(str(cite).strip(), f"bibtex-{number}", "BibTeX")
        yield section("What to cite", copied, name="cite")
    yield section("The record", *_record(answer, number), name="record")


def _numbers(answer: Answer, chart: dict[str, Any] | None) -> Iterator[str]:
    if answer.estimates:
        yield table_of(("quantity", "value"), [list(pair) for pair in answer.estimates], "Estimate ± standard error")
    if answer.table:
        header, *rows = answer.table
        select = rows_of_groups(answer, len(rows)) or rows_of_chart(chart, len(rows))  # something in the pictures
        yield table_of(header, rows, "Each value with its standard error", groups=select)


def _picture(answer: Answer, chart: dict[str, Any] | None, number: int) -> str:
    if answer.result is None:
        return tag("p", text_of(NO_POINTS))
    explorer = "".join((*explorer_of(answer, number), *chart_of(chart, number)))
    label = f"{answer.title}. {answer.record.get('verdict') or ''}".strip()
    drawn, why_not = try_drawing(answer.result, f"picture-{number}", label=label)
    if why_not:
        return explorer + tag("p", text_of(why_not))
    about = next(iter(answer.result.pictures().values()))
    return explorer + tag("figure", [drawn, tag("figcaption", text_of(about))], class_="drawn")


def _history(answer: Answer) -> Iterator[str]:
    record: Mapping[str, Any] = answer.record
    made: Mapping[str, Any] = record.get("provenance") or {}
    rows = [["function", str(made.get("function") or "not recorded")]]
    if command := record.get("command"):
        rows.insert(0, ["command", str(command)])
    rows += [[name, _spell(value)] for name, value in (made.get("parameters") or {}).items()]
    rows.append(["seed", _spell(made.get("seed"))])
    rows.append(["hash of the input", str(made.get("input_hash") or "not recorded")])
    rows.append(["versions", ", ".join(f"{name} {one}" for name, one in (made.get("versions") or {}).items())])
    yield table_of(("what", "value"), rows, "Command, parameters, seed, input and versions", class_="plain")
    if files := record.get("files"):
        rows = [[str(file["name"]), f"{file['size']:,} bytes", str(file["hash"])] for file in files]
        yield table_of(("file", "size", "hash"), rows, "The files that were read", class_="plain")


def _again(answer: Answer, number: int) -> Iterator[str]:
    if not answer.record.get("command"):
        yield tag("p", "It was computed in Python: the function and its parameters stand above.")
        return
    own = answer.file.lower().endswith(RECORD)
    file = answer.file if own else record_name(number)
    if not own:
        yield tag(
            "p", "Save the record below, beside the files that were read, and ask whether every digit comes out again:"
        )
    yield _copied(f"infoscope rerun {shlex.quote(file)}", f"rerun-{number}", "command")


def _record(answer: Answer, number: int) -> Iterator[str]:
    text = record_text(answer.record)
    link = "data:application/json;base64," + base64.b64encode(text.encode()).decode()
    name, size = record_name(number), len(text.encode()) / 1000
    download = tag("a", text_of(f"Download {name}"), href=link, download=name)
    yield tag("p", [download, text_of(f" ({size:,.0f} kB): all numbers, as text that programs read.")])


def record_name(number: int) -> str:
    """How the record of a result is called when it is saved from the page."""
    return "record.json" if number == 1 else f"record-{number}.json"


def _copied(text: str, name: str, what: str) -> str:
    """Text to copy, with a button that scripts show and serve."""
    button = tag("button", text_of(f"Copy {what}"), type="button", class_="copy", data_copy=name, hidden=True)
    return tag("div", [tag("pre", text_of(text), id=name, tabindex="0"), button], class_="copied")


def _spell(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
