"""What `make lint` asks, one after the other: style, spelling, forms of the forge's files, types, import contracts.

Every check runs, also after one has failed; the exit status is 1 if any has.
"""

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# Which schema each file of a forge has to keep to. check-jsonschema brings them: nothing is fetched.
SCHEMAS = {
    "vendor.github-workflows": ".github/workflows/*.yml",
    "custom.github-workflows-require-timeout": ".github/workflows/*.yml",
    "vendor.github-issue-forms": ".github/ISSUE_TEMPLATE/[!c]*.yml",
    "vendor.github-issue-config": ".github/ISSUE_TEMPLATE/config.yml",
    "vendor.gitlab-ci": ".gitlab-ci.yml",
    "vendor.readthedocs": ".readthedocs.yaml",
    "vendor.citation-file-format": "CITATION.cff",
}


def forge_checks(root: Path) -> list[list[str]]:
    """The commands that hold the files below a folder against their schemas."""
    commands = []
    for schema, pattern in SCHEMAS.items():
        files = sorted(str(file.relative_to(root)) for file in root.glob(pattern))
        if not files:
            raise FileNotFoundError(f"{pattern} matches no file: mend SCHEMAS in {__file__}")
        commands.append(["check-jsonschema", "--quiet", "--builtin-schema", schema, *files])
    return [*commands, ["pre-commit", "validate-config", ".pre-commit-config.yaml"]]


def run(command: list[str], root: Path) -> int:
    """The exit status of a command of the environment whose Python runs this file."""
    here = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    program = shutil.which(command[0], path=here)
    if program is None:
        print(f"{command[0]} is not installed: pip install -c constraints.txt -e '.[lint]'", file=sys.stderr)
        return 1
    return subprocess.run([program, *command[1:]], cwd=root).returncode


def main() -> int:
    checks = [["ruff", "check", "."], ["ruff", "format", "--check", "."], ["codespell"]]
    failed = []
    for command in [*checks, *forge_checks(ROOT), ["mypy"], ["lint-imports"]]:
        print("$", shlex.join(command), flush=True)
        if run(command, ROOT):
            failed.append(command[0])
    if failed:
        print("failed:", ", ".join(dict.fromkeys(failed)), file=sys.stderr)
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
