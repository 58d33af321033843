"""What an alert was worth: the prices that followed it, as one could have traded them."""
