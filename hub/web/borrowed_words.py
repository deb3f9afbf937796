"""What libraries say of wrong input, so that it is translated as our own words are.

pydantic objects to forms and to parameters of actions, json to texts, RE2 to patterns, jinja2 to
templates. `{}` is what they fill in (hub/web/i18n.py).
"""

from __future__ import annotations


def _(text: str) -> str:
    return text


PYDANTIC = (
    _("Field required"),
    _("Extra inputs are not permitted"),
    _("Keys should be strings"),
    _("Input should be an object"),
    _("Input should be a valid dictionary"),
    _("Input should be a valid dictionary or instance of {}"),
    _("Input should be None"),
    _("Input should be greater than {}"),
    _("Input should be greater than or equal to {}"),
    _("Input should be less than {}"),
    _("Input should be less than or equal to {}"),
    _("Input should be a multiple of {}"),
    _("Input should be a finite number"),
    _("{} should have at least {} item after validation, not {}"),
    _("{} should have at least {} items after validation, not {}"),
    _("{} should have at most {} item after validation, not {}"),
    _("{} should have at most {} items after validation, not {}"),
    _("Input should be a valid string"),
    _("String should have at least 1 character"),
    _("String should have at least {} character"),
    _("String should have at least {} characters"),
    _("String should have at most {} character"),
    _("String should have at most {} characters"),
    _("String should match pattern '{}'"),
    _("Input should be a valid list"),
    _("Input should be a valid tuple"),
    _("Input should be a valid boolean"),
    _("Input should be a valid boolean, unable to interpret input"),
    _("Input should be a valid integer"),
    _("Input should be a valid integer, unable to parse string as an integer"),
    _("Unable to parse input string as an integer, exceeded maximum size"),
    _("Input should be a valid integer, got a number with a fractional part"),
    _("Input should be a valid number"),
    _("Input should be a valid number, unable to parse string as a number"),
    _("Value error, {}"),
    _("Assertion failed, {}"),
    _("Input should be {}"),
    _("Input should be {} or {}"),
    _("Input should be a valid date"),
    _("Input should be a valid date in the format YYYY-MM-DD, {}"),
    _("Input should be a valid date or datetime, {}"),
    _("Input should be a valid time"),
    _("Input should be in a valid time format, {}"),
    _("Input should be a valid datetime"),
    _("Input should be a valid datetime, {}"),
    _("Input should be a valid datetime or date, {}"),
    _("Input should be a valid timedelta"),
    _("Input should be a valid timedelta, {}"),
    _("URL input should be a string or URL"),
    _("Input should be a valid URL, {}"),
    _("URL should have at most {} characters"),
    _("URL scheme should be {}"),
    _("value is not a valid email address: {}"),
    _("An email address must have an @-sign."),
    _("There must be something before the @-sign."),
    _("There must be something after the @-sign."),
    _("The part after the @-sign is not valid. {}"),
    _("The email address contains invalid characters before the @-sign: {}"),
)
JSON = (
    _("{}: line {} column {} (char {})"),
    _("Expecting value"),
    _("Expecting property name enclosed in double quotes"),
    _("Expecting ',' delimiter"),
    _("Expecting ':' delimiter"),
    _("Extra data"),
    _("Unterminated string starting at"),
    _("Invalid control character at"),
)
RE2 = (
    _("missing ]: {}"),
    _("missing ): {}"),
    _("unexpected ): {}"),
    _("no argument for repetition operator: {}"),
    _("bad repetition operator: {}"),
    _("invalid repetition size: {}"),
    _("invalid perl operator: {}"),
    _("invalid escape sequence: {}"),
    _("invalid character class range: {}"),
    _("trailing {}"),
    _("pattern too large - compile failed"),
)
JINJA = (
    _("expected token {}, got {}"),
    _("Expected an expression, got {}"),
    _("unexpected {}"),
    _("unexpected end of template, expected {}."),
    _("unexpected char {} at {}"),
    _("Encountered unknown tag {}."),
    _("Unexpected end of template. {}"),
)
