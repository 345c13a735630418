"""tools/package.sh: the archive has what its own pages point at."""

import re
import shutil
import subprocess

from conftest import BIN, PLUGINS, SOURCE


def test_links_of_the_packaged_pages_lead_somewhere(tmp_path):
    for name in ("tools", "docs", "examples", "include"):
        shutil.copytree(SOURCE / name, tmp_path / name)
    for name in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE"):
        shutil.copy(SOURCE / name, tmp_path)
    (tmp_path / "build" / "bin").mkdir(parents=True)
    shutil.copy(BIN, tmp_path / "build" / "bin")
    shutil.copytree(PLUGINS, tmp_path / "build" / "plugins")
    subprocess.run([tmp_path / "tools" / "package.sh"], check=True, capture_output=True)
    [archive] = (tmp_path / "build").glob("*.tar.gz")
    subprocess.run(["tar", "-xzf", archive, "-C", tmp_path / "tools"], check=True)
    [root] = (tmp_path / "tools").glob("dativo-native-*")
    pages = list(root.rglob("*.md"))
    assert root / "docs" / "jobs.md" in pages
    broken = [(page.name, link) for page in pages for link in re.findall(r"\]\(([^)#]+)", page.read_text(encoding="utf-8"))
              if "://" not in link and not (page.parent / link).exists()]
    assert broken == []
