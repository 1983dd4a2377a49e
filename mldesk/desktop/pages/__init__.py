"""One module per page: a widget that draws a state object and hands what is pressed to it or to the window."""
