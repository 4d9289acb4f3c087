"""Which script or language the words that became more frequent are of, where they tell it beyond doubt.

Scripts by the names that Unicode gives to letters. Of languages in Latin script ten of the largest, by words
so common that they come with any text, each in one of the lists alone: three of one list, and three more for
each of another.
"""

from collections import Counter
from collections.abc import Sequence
from unicodedata import name

_FEWEST = 3
"""Words that tell."""
_SHARE = 0.5
"""Of the words, in another script than Latin."""
_SCRIPTS = {"CJK": "Chinese or Japanese", "HIRAGANA": "Japanese", "KATAKANA": "Japanese", "HANGUL": "Korean"}
_COMMON = {
    "Dutch": "een graag het hoe maar met mijn naar niet ook vandaag van voor wat wil zijn",
    "English": "and have how please that the this what when where with your",
    "French": "avec cette dans demain est les mes peux pour quel quelle suis une veux vous",
    "German": "auch bitte dem eine einem einen heute ich ist mein meine mich möchte nicht und wie wird für",
    "Indonesian or Malay": "akan apakah berapa besok bisa dari dengan ini itu saya tidak tolong untuk yang",
    "Italian": "alla anche che della domani dove gli mia mio nel oggi perché questa questo sono voglio",
    "Polish": "chcę czy dla dziś gdzie jest jutro kiedy mam moja mój nie proszę przez się",
    "Portuguese": "amanhã com dos hoje isso mas meu minha muito não onde preciso tenho uma você",
    "Spanish": "ayer cuando cómo donde dónde hay hoy las los mañana muy necesito pero puedo quiero qué tengo",
    "Turkish": "benim bana bir bugün değil için istiyorum kadar kaç lütfen saat zaman çok",
}
_LANGUAGES = {word: language for language, words in _COMMON.items() for word in words.split()}


def told_by(words: Sequence[str]) -> str:
    """A script or a language as a person says it, or "".

    >>> told_by(["weer", "voor", "morgen", "het", "van"]), told_by(["погода", "завтра", "какая"])
    ('Dutch', 'Cyrillic script')
    """
    foreign = Counter(_script(word) for word in words if not word.isascii())
    del foreign["LATIN"]
    if foreign:
        script, count = max(foreign.items(), key=lambda each: (each[1], each[0]))
        if count >= max(_FEWEST, _SHARE * len(words)):
            return _SCRIPTS.get(script, f"{script.capitalize()} script")
    found = Counter(_LANGUAGES[word] for word in words if word in _LANGUAGES)
    language, count = max(found.items(), key=lambda each: (each[1], each[0]), default=("", 0))
    others = sum(found.values()) - count
    return language if count >= _FEWEST * (1 + others) else ""


def _script(word: str) -> str:
    """The first word of the name of its first letter beyond ASCII."""
    letter = next(each for each in word if not each.isascii())
    return name(letter, "LATIN").split()[0]
