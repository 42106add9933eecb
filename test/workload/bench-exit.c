/* Ends at once: what the fork-and-exec loop of bench-loops starts. Linked statically, so that nothing else is opened. */
int main(void)
{
	return 0;
}
