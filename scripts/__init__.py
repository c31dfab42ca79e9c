"""Programs of the checkout: make targets, generated pages, the demo."""
