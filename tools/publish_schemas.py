"""Writes `schemas/json/` anew from the structs."""

from pathlib import Path

from schemas.published import WORDS, text

FOLDER = Path(__file__).resolve().parents[1] / "schemas" / "json"

for word in WORDS:
    path = FOLDER / f"{word}.schema.json"
    path.write_text(text(word), encoding="utf-8")
    print(path.relative_to(FOLDER.parents[1]))
