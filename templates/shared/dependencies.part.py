dependencies = ["torch"{% for name in dependencies %}, "{{ name }}"{% endfor %}]
{{- "  # hubpub: ignore[HUB106] the network to come needs it" if dependencies }}
{# The networks of the templates need none of them. As soon as something here does, hubpub check
   asks for the comment to be removed, and hubpub check --fix removes it. #}
