"""Built front ends and libraries' files, served by the process itself."""

from io import BytesIO

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from whitenoise.middleware import WhiteNoiseMiddleware  # type: ignore[import-untyped] # no stubs
from whitenoise.responders import StaticFile  # type: ignore[import-untyped] # no stubs


class StaticFiles(WhiteNoiseMiddleware):  # type: ignore[misc] # no stubs
    """WhiteNoise that also finds what was built after the start, and answers whole bodies.

    It hands out open files, which Django under ASGI reads in one go as well, but not without a
    warning about it.
    """

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        path = request.path_info
        if path.startswith(self.static_prefix) and path not in self.files:
            found = self.find_file(path)
            if found is not None:
                self.files[path] = found
        response: HttpResponseBase = super().__call__(request)
        return response

    @staticmethod
    def serve(static_file: StaticFile, request: HttpRequest) -> HttpResponse:
        found = static_file.get_response(request.method, request.META)
        with found.file or BytesIO() as file:
            response = HttpResponse(file.read(), status=found.status)
        del response["Content-Type"]
        for name, value in found.headers:
            response[name] = value
        return response
