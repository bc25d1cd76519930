"""Whether artifacts compute the golden integers, what ran to show it, and how real numbers enter and leave them."""
