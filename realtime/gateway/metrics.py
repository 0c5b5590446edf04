"""The gateway's counters and gauges."""

from prometheus_client import Counter, Gauge

CONNECTIONS = Gauge("karibu_gateway_connections", "Visitors' connections of this process")
OUTBOX_BYTES = Gauge("karibu_gateway_outbox_bytes", "Bytes queued for visitors who read slowly")
DELIVERIES = Counter("karibu_gateway_deliveries_total", "Publications handed to a connection")
RECOVERIES = Counter(
    "karibu_gateway_recoveries_total", "Subscriptions that asked to recover", ["recovered"]
)
ERRORS = Counter("karibu_gateway_errors_total", "Error replies", ["code"])
CLOSES = Counter("karibu_gateway_closes_total", "Connections that the gateway closed", ["code"])
UNSUBSCRIBES = Counter(
    "karibu_gateway_unsubscribes_total", "Subscriptions that the gateway ended", ["code"]
)
