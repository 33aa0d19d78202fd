"""Any site's schema.org JobPosting: from robots.txt to the sitemaps, to the pages, to their JSON-LD (read by extruct).

``base_url`` names the site; several blocks of ``sources.toml`` may use this spider. Only pages that the site's own
sitemaps list are read, on a rerun only those that are new or changed by ``lastmod``; ``queries``, if there are any, are
pieces of a URL's path of which a page must have one ("/jobs/"). A pay by the day, week, month or year is no price.
"""
