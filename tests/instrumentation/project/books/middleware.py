import time


class PlainMiddleware:
    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        return self.get_response(request)


class SlowMiddleware(PlainMiddleware):
    def __call__(self, request):
        time.sleep(0.02)
        return super().__call__(request)
