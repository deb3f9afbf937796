"""What the endpoints of mailings take and give, for whoever writes programs against them."""
