"""zh-CN and English from one message catalogue for Python, templates and browser.

The zh-CN sentence in the code is the original and the key; ``translations/<locale>/LC_MESSAGES/messages.po`` holds
what it becomes. The same catalogue reaches the browser as JSON.
"""

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from babel.support import NullTranslations, Translations

from gis_server.core.message import Translate
from gis_server.core.vocabulary import english

if TYPE_CHECKING:
    from flask import Flask

FOLDER = Path(__file__).parent / "translations"
LANGUAGES = {"zh": "zh_Hans_CN", "en": "en"}
"""Interface languages and their locales; the first is the original."""


@cache
def _catalogue(language: str) -> NullTranslations:
    # an unknown language reads the original rather than failing in the middle of an error message
    return Translations.load(FOLDER, [LANGUAGES.get(language, "zh_Hans_CN")])


def translator(language: str) -> Translate:
    """The function that turns a zh-CN template into ``language`` (``zh`` or ``en``)."""
    catalogue = _catalogue(language)

    def translate(template: str) -> str:
        if not template:  # gettext answers it with the catalogue's header
            return template
        translated = catalogue.ugettext(template)
        # the official terms bring their English with them
        if translated == template and language == "en":
            return english(template) or template
        return translated

    return translate


def browser_catalogue(language: str) -> dict[str, str]:
    """Templates and translations for the browser; empty for zh, whose sentences are the keys themselves."""
    catalogue = _catalogue(language)
    messages = getattr(catalogue, "_catalog", {})
    return {key: value for key, value in messages.items() if isinstance(key, str) and key and value}


def language_of(locale: str | None) -> str:
    """``zh`` or ``en`` for a locale such as ``en_GB.UTF-8``, ``zh-CN`` or None."""
    return "en" if (locale or "").lower().startswith("en") else "zh"


def init_app(app: "Flask", default: str = "zh") -> None:
    """Wire Flask-Babel: the language chosen in the session, else the browser's, else the deployment's."""
    from flask import has_request_context, request, session  # noqa: PLC0415  (the command line needs no Flask)
    from flask_babel import Babel  # noqa: PLC0415

    def select() -> str:
        if not has_request_context():
            return LANGUAGES[default]
        chosen = session.get("language")
        if chosen not in LANGUAGES:
            accepted = request.accept_languages.best_match(["zh", "zh-CN", "zh-Hans", "en", "en-US", "en-GB"])
            chosen = language_of(accepted) if accepted else default
        return LANGUAGES[chosen]

    Babel(
        app,
        default_locale=LANGUAGES[default],
        default_translation_directories=str(FOLDER),
        locale_selector=select,
    )
