"""Which attribute says what, in the four dialects that agents' spans are written in.

OpenTelemetry's GenAI conventions as they are, and as they were (`gen_ai.system`, `prompt_tokens`);
OpenInference; OpenLLMetry. Where several say the same the newest convention is first, and holds. Released
instrumentations name one version of the conventions and write another, so attributes tell, not schema URLs.
"""

AGENT = ("gen_ai.agent.name", "agent.name", "agent_name")
WORKFLOW = ("gen_ai.workflow.name", "workflow.name", "traceloop.workflow.name")
AGENT_VERSION = ("gen_ai.agent.version",)
CONVERSATION = (
    "gen_ai.conversation.id",
    "session.id",
    "traceloop.association.properties.session_id",
    "gcp.vertex.agent.session_id",
)
USER = ("user.id", "enduser.id", "traceloop.association.properties.user_id", "gen_ai.user", "llm.user")
TENANT = ("tenant.id", "traceloop.association.properties.tenant_id")
PROVIDER = ("gen_ai.provider.name", "gen_ai.system", "llm.provider", "llm.system")
REQUEST_MODEL = ("gen_ai.request.model", "llm.request.model_name")
MODEL = ("llm.model_name", "embedding.model_name")
"""OpenInference's: of a call that was answered the model that did, else that which was asked for, if any."""
PARAMETERS = "llm.invocation_parameters"
"""What a model was called with, in JSON: there OpenInference has the model that was asked for."""
MAX_TOKENS = ("gen_ai.request.max_tokens", "llm.request.max_tokens")
RESPONSE_ID = ("gen_ai.response.id",)
RESPONSE_MODEL = ("gen_ai.response.model", "llm.response.model_name")
FINISH_REASONS = (
    "gen_ai.response.finish_reasons",
    "gen_ai.response.finish_reason",
    "gen_ai.response.stop_reason",
    "gen_ai.completion.0.finish_reason",
    "llm.finish_reason",
    "llm.response.finish_reason",
    "llm.response.stop_reason",
)
FIRST_CHUNK = ("gen_ai.response.time_to_first_chunk", "gen_ai.server.time_to_first_token")
INPUT_TOKENS = ("gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens", "llm.token_count.prompt")
OUTPUT_TOKENS = ("gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens", "llm.token_count.completion")
CACHE_READ_TOKENS = (
    "gen_ai.usage.cache_read.input_tokens",
    "gen_ai.usage.cache_read_input_tokens",
    "llm.token_count.prompt_details.cache_read",
)
CACHE_WRITE_TOKENS = (
    "gen_ai.usage.cache_write.input_tokens",
    "gen_ai.usage.cache_creation.input_tokens",
    "gen_ai.usage.cache_creation_input_tokens",
    "llm.token_count.prompt_details.cache_write",
)
REASONING_TOKENS = (
    "gen_ai.usage.reasoning.output_tokens",
    "gen_ai.usage.reasoning_tokens",
    "llm.token_count.completion_details.reasoning",
)
COST = ("gen_ai.usage.cost.amount", "gen_ai.usage.cost", "llm.cost.total")
TOOL = ("gen_ai.tool.name", "tool.name", "tool_call.function.name")
TOOL_TYPE = ("gen_ai.tool.type",)
TOOL_CALL = ("gen_ai.tool.call.id", "tool_call.id")
PROMPT = ("gen_ai.prompt.name", "traceloop.prompt.key")
PROMPT_VERSION = ("gen_ai.prompt.version", "llm.prompt_template.version", "traceloop.prompt.version")
MCP_METHOD = ("mcp.method.name",)
ADDRESS = ("server.address", "net.peer.name")
PORT = ("server.port", "net.peer.port")
ERROR_TYPE = ("error.type",)
HTTP_STATUS = ("http.response.status_code", "http.status_code")
SERVICE = ("service.name",)
SERVICE_VERSION = ("service.version",)
INSTANCE = ("service.instance.id",)
ENVIRONMENT = ("deployment.environment.name", "deployment.environment")

OPERATION = "gen_ai.operation.name"
INPUT = "gen_ai.input.messages"
OLD_PROMPT = "gen_ai.prompt"
OPENINFERENCE_KIND = "openinference.span.kind"
OPENINFERENCE_INPUT = "llm.input_messages"
OPENLLMETRY_KIND = "traceloop.span.kind"
OPENLLMETRY_NAME = "traceloop.entity.name"
OPENLLMETRY_VERSION = "traceloop.entity.version"
OPENLLMETRY_REQUEST = "llm.request.type"

OPENINFERENCE_OPERATIONS = {
    "LLM": "chat",
    "AGENT": "invoke_agent",
    "TOOL": "execute_tool",
    "RETRIEVER": "retrieval",
    "EMBEDDING": "embeddings",
}
OPENLLMETRY_OPERATIONS = {
    "workflow": "invoke_workflow",
    "agent": "invoke_agent",
    "tool": "execute_tool",
}
OPENLLMETRY_REQUESTS = {"chat": "chat", "completion": "text_completion", "embedding": "embeddings"}
AROUND = frozenset({"invoke_agent", "invoke_workflow", "create_agent"})
"""What contains other operations: its usage is the sum of theirs, and no one's own."""
MODEL_CALLS = frozenset({"chat", "text_completion", "generate_content", "embeddings"})
"""Two instrumentations may each tell of the same one, as a span within a span."""
