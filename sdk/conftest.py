"""Doctests of the agents' own distribution: not of what loads a library of others, which takes seconds."""

collect_ignore = [
    f"src/agent_oversight/{name}.py" for name in ("langchain", "litellm", "openai_agents", "opentelemetry")
]
