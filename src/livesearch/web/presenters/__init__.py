"""From what services answer to what templates show: formatting, order and links, so that templates decide nothing."""
