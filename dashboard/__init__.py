"""What people see: the API, the live feed, sign-in, and the front end in web/."""
