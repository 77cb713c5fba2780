"""What a web server imports."""

import gc
import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pthv.settings")
application = get_wsgi_application()
# What is loaded by now stays: the garbage collector need not walk it again in mid-request.
gc.collect()
gc.freeze()
