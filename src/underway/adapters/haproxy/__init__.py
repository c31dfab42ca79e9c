"""The Proxy port over the edge's scripts: one exec per question, one exec per change."""

from underway.adapters.haproxy.proxy import HaproxyProxy

__all__ = ["HaproxyProxy"]
