"""The likelihood, learned from the company's own decided renewals: fitted in the background, versioned, explained."""
