"""What a training run is: the identity under which its record is stored."""
