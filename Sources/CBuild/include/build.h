/// The commit this program was built from, nine digits of it and a plus where something was not committed; "unknown" outside a clone.
const char *wellward_build(void);
