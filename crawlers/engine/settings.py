"""Scrapy's settings for one crawl: everything that is not the default, and why."""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from crawlers.engine.keeping import KeepResponses, Provenance, RawCache, StoreRecords
from crawlers.engine.politeness import RateLimit, RefusedToken, SameSite, Token
from crawlers.engine.robots import Robots

if TYPE_CHECKING:
    from crawlers.job import Job

_BUILT_IN = "scrapy.downloadermiddlewares."


def user_agent(job: Job) -> str:
    """Who we are and whom to write to."""
    return f"session-value/{version('session-value')} (+{job.crawl.contact or 'local test'})"


def scrapy_settings(job: Job) -> dict[str, Any]:
    """Return the settings of a crawl's Scrapy process."""
    crawl, source = job.crawl, job.source
    mebibyte = 2**20
    return {
        "JOBDIR": str(job.job_dir),
        # marshal rather than pickle: what is read back from disk is plain data
        "SCHEDULER_DISK_QUEUE": "scrapy.squeues.MarshalLifoDiskQueue",
        "SCHEDULER_START_DISK_QUEUE": "scrapy.squeues.MarshalFifoDiskQueue",
        "USER_AGENT": user_agent(job),
        "ROBOTSTXT_OBEY": True,
        "ROBOTSTXT_USER_AGENT": "session-value",
        "COOKIES_ENABLED": False,
        "TELNETCONSOLE_ENABLED": False,
        "AUTOTHROTTLE_ENABLED": crawl.throttle,
        "AUTOTHROTTLE_START_DELAY": 0.0 if source.loopback else 1.0,
        "AUTOTHROTTLE_MAX_DELAY": 2.0 if source.loopback else 60.0,
        "AUTOTHROTTLE_TARGET_CONCURRENCY": float(source.concurrency),
        "DOWNLOAD_DELAY": 0.0,  # `RateLimit` keeps the rate
        "CONCURRENT_REQUESTS": source.concurrency,
        "CONCURRENT_REQUESTS_PER_DOMAIN": source.concurrency,
        "DOWNLOAD_TIMEOUT": crawl.timeout_seconds,
        "DOWNLOAD_MAXSIZE": int(crawl.max_response_mb * mebibyte),
        "DOWNLOAD_WARNSIZE": 0,
        "RETRY_TIMES": crawl.retries,
        "RETRY_HTTP_CODES": [500, 502, 503, 504, 522, 524, 408],
        "REDIRECT_MAX_TIMES": 5,
        "METAREFRESH_ENABLED": False,
        "CLOSESPIDER_TIMEOUT": crawl.max_minutes * 60,
        "MEMUSAGE_ENABLED": True,
        "MEMUSAGE_LIMIT_MB": crawl.max_memory_mb,
        "MEMUSAGE_CHECK_INTERVAL_SECONDS": 2.0,
        "HTTPCACHE_ENABLED": crawl.cache_hours > 0,
        "HTTPCACHE_STORAGE": RawCache,
        "CACHE_HOURS": crawl.cache_hours,
        "EXTENSIONS": {"scrapy.extensions.spiderstate.SpiderState": None},  # it pickles
        "LOG_INSTALL_ROOT_HANDLER": False,
        "LOG_ENABLED": False,  # `worker` writes the log, without items
        "LOG_LEVEL": "INFO",
        "SPIDER_MIDDLEWARES": {Provenance: 950},  # nearest to the spider: it sees what the callback yields
        "ITEM_PIPELINES": {StoreRecords: 100},
        "DOWNLOADER_MIDDLEWARES": {
            SameSite: 40,
            _BUILT_IN + "offsite.OffsiteMiddleware": None,
            _BUILT_IN + "robotstxt.RobotsTxtMiddleware": None,
            Robots: 100,
            _BUILT_IN + "httpauth.HttpAuthMiddleware": None,
            RateLimit: 560,  # before the retry middleware sees a 429 or 503
            # every response is stored: as it came, before a redirect or a retry takes it away
            _BUILT_IN + "httpcompression.HttpCompressionMiddleware": 820,
            KeepResponses: 810,
            RefusedToken: 570,
            Token: 890,
        },
    }
