"""The demo program Willow Creek: invented people, lived through by the real actions."""
