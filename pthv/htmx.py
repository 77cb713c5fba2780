"""Page or fragment: one template serves both."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render as render_page

from pthv.requests import Request


def render(
    request: Request,
    template: str,
    context: dict[str, Any] | None = None,
    *,
    partial: str = "",
    status: int = 200,
) -> HttpResponse:
    """Render `template`, or only its `partial` when htmx asks for that id.

    Without JavaScript the same view answers with the whole page.
    """
    if partial and request.htmx and request.htmx.target == partial:
        template = f"{template}#{partial}"
    response = render_page(request, template, context, status=status)
    response.headers["Vary"] = "HX-Request, Cookie"
    return response
