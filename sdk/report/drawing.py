"""Where data become markup: the one place that knows Jinja, which is imported when the first page is drawn.

A block of a page is a frozen dataclass (`blocks.Block`) with the name of its template; the template sees it as `data`
and gives the markup. All text is escaped: what a template drew is the only text that is markup already.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from .text import percent, points, readable, short, tenths, text, words

if TYPE_CHECKING:
    from jinja2 import Environment

    from .blocks import Block

__all__ = ["draw", "environment"]


def draw(block: Block) -> str:
    """The markup of a block with all that is in it; "" of one that holds nothing."""
    return environment().get_template(block.template).render(data=block) if block else ""


@cache
def environment() -> Environment:
    """Templates of this package: each text is escaped, and a name that is not there is an error."""
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    def drawn(block: Block) -> Markup:
        return Markup(draw(block))

    def clean(item: Any) -> Any:
        return item if isinstance(item, Markup) else readable(item)

    found = Environment(
        loader=PackageLoader("edgeml.report"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=clean,
        auto_reload=False,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    found.filters |= {filter.__name__: filter for filter in (drawn, percent, points, short, tenths, text, words)}
    return found
