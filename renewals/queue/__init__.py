"""The decision-date queue: contracts that renew by themselves, by the day on which the customer must say no."""
