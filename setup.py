"""Which folder becomes which package: ours stand under one name, so that none of them is anybody's top level.

`app.py` goes in beside them, as the explorer's pages are named from it.
"""

from pathlib import Path

from setuptools import find_packages, setup
from setuptools.command.build_py import build_py

ROOMS = ("pipelines", "models", "explorer")


class WithApp(build_py):
    def run(self) -> None:
        super().run()
        if not self.editable_mode:
            self.copy_file("app.py", str(Path(self.build_lib) / "headway" / "app.py"))


def within(room: str) -> list[str]:
    return [f"headway.{room}", *(f"headway.{room}.{name}" for name in find_packages(room))]


setup(
    packages=["headway", *(name for room in ROOMS for name in within(room))],
    package_dir={"headway": "headway", **{f"headway.{room}": room for room in ROOMS}},
    cmdclass={"build_py": WithApp},
)
