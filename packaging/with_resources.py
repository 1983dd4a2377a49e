"""The build step that puts ``resources/`` into a wheel as ``mldesk/_resources`` (named in pyproject.toml).

An editable install copies nothing: ``mldesk.core.resources`` finds the folder in the checkout.
"""

from __future__ import annotations

from pathlib import Path

from setuptools.command.build_py import build_py


class BuildPy(build_py):
    """build_py, plus one folder that is not a package."""

    def run(self) -> None:
        super().run()
        if not self.editable_mode:
            for source, target in self._resources().items():
                self.mkpath(str(Path(target).parent))
                self.copy_file(source, target, preserve_mode=False)

    def get_outputs(self, include_bytecode: bool = True) -> list[str]:
        return [*super().get_outputs(include_bytecode), *([] if self.editable_mode else self._resources().values())]

    def get_source_files(self) -> list[str]:
        """What a source distribution must hold."""
        return [*super().get_source_files(), *self._resources(), "packaging/with_resources.py"]

    def _resources(self) -> dict[str, str]:
        top = Path(self.build_lib) / "mldesk" / "_resources"
        return {str(path): str(top / path.relative_to("resources"))
                for path in sorted(Path("resources").rglob("*")) if path.is_file()}
