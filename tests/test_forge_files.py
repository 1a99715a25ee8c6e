"""Every file that a forge reads is held against its schema, and a wrong one is found."""

import importlib.util
import re
import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
if not (ROOT / ".pre-commit-config.yaml").exists():
    pytest.skip("these are tests of the source tree", allow_module_level=True)

SPEC = importlib.util.spec_from_file_location("lint", ROOT / "tests" / "lint.py")
lint = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(lint)


def test_every_file_of_a_forge_has_a_check():
    forge = [*ROOT.glob(".github/**/*"), *ROOT.glob(".*.y*ml"), *ROOT.glob("*.cff")]
    found = {str(file.relative_to(ROOT)) for file in forge if file.is_file()}
    checked = {word for command in lint.forge_checks(ROOT) for word in command}
    assert len(found) >= 9 and found <= checked


def test_actions_are_pinned_and_may_only_read_unless_they_upload():
    for file in ROOT.glob(".github/workflows/*.yml"):
        text = file.read_text()
        used = re.findall(r"uses: (\S+)", text)
        assert used and all(re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", action) for action in used), file
        granted = re.findall(r"^ +([\w-]+): (?:read|write)\b", text, re.MULTILINE)
        allowed = {"contents", "id-token"} if file.name == "release.yml" else {"contents"}
        assert re.search(r"^permissions:", text, re.MULTILINE) and set(granted) <= allowed, file
        assert "contents: write" not in text and "secrets." not in text, file


@pytest.fixture
def copy(tmp_path):
    pytest.importorskip("check_jsonschema", reason="a check of the extra 'lint'")
    shutil.copytree(ROOT / ".github", tmp_path / ".github")
    for file in [*ROOT.glob(".*.y*ml"), *ROOT.glob("*.cff")]:
        shutil.copy(file, tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("file", "right", "wrong"),
    [
        (".github/workflows/docs.yml", "runs-on:", "run-on:"),
        (".github/workflows/docs.yml", "    timeout-minutes: 60\n", ""),
        (".github/ISSUE_TEMPLATE/wrong-number.yml", "type: textarea", "type: textaria"),
        (".github/ISSUE_TEMPLATE/config.yml", "blank_issues_enabled: true", "blank_issues_enabled: perhaps"),
        (".github/workflows/release.yml", "id-token: write", "id-token: perhaps"),
        (".gitlab-ci.yml", "stages: [test,", "stages: [1.5,"),
        (".readthedocs.yaml", "ubuntu-24.04", "ubuntu-3.11"),
        ("CITATION.cff", "family-names: Glielmo", "family_names: Glielmo"),
        (".pre-commit-config.yaml", "language: python", "language: snake"),
    ],
)
def test_a_wrong_file_is_found_and_the_right_one_passes(copy, file, right, wrong):
    def complaints():
        return [lint.run(command, copy) for command in lint.forge_checks(copy) if file in command]

    text = (copy / file).read_text()
    assert right in text and set(complaints()) == {0}
    (copy / file).write_text(text.replace(right, wrong, 1))
    assert any(complaints())
