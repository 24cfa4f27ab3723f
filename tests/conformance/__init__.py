"""What mailcow's web API does, one behaviour per case; held by our stand-in and, when one is named, by a real server.

``pytest tests/conformance --mailcow-url URL --mailcow-api-key KEY --i-accept-address-book-rebuilds`` asks the real one.
It makes domains with random names of its own and removes them again, each write may rebuild the address book.
"""
