"""What the corollaries predict for an activation and a penalty, and the rule that names what training did."""
