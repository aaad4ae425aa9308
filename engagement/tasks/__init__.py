"""What each person has to do for customers, in the order of what is at stake and how soon."""
