"""How many statements a response took, for whoever asks by a header."""

from collections.abc import Callable

from django.db import connection
from django.http import HttpRequest, HttpResponse


class CountQueries:
    """Answer X-Count-Queries with the number of SQL statements; costs nothing otherwise."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if "X-Count-Queries" not in request.headers:
            return self.get_response(request)
        count = 0

        def counted(execute, sql, params, many, context):
            nonlocal count
            # Savepoints are part of a transaction, not questions to the database.
            count += not sql.startswith(("SAVEPOINT", "RELEASE"))
            return execute(sql, params, many, context)

        with connection.execute_wrapper(counted):
            response = self.get_response(request)
        response.headers["X-Queries"] = str(count)
        return response
