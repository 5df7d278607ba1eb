/*
 * small32 - a 32-bit x86 program that needs no library, not even to be built: it says so, and ends with
 * the errno of one system call (its first argument: a digit a call, see below), or 0.
 */
static long call(long number, long a, long b, long c)
{
	long result;
	__asm__ volatile("int $0x80" : "=a"(result) : "a"(number), "b"(a), "c"(b), "d"(c) : "memory");
	return result;
}

__attribute__((used)) static void begin(long *stack)
{
	static const char text[] = "32 bits\n";
	char which = stack[0] > 1 ? ((char *)stack[2])[0] : '0';
	long unix_stream[] = { 1, 1, 0 }, result = 0;
	call(4, 1, (long)text, sizeof text - 1);
	switch (which) {
	case '1': result = call(288, 0, -3, 0); break;                /* keyctl */
	case '2': result = call(102, 1, (long)unix_stream, 0); break; /* socket, through socketcall */
	case '3': result = call(1000, 0, 0, 0); break;                /* newer than everything */
	case '4': result = call(136, 0x20000, 0, 0); break;           /* personality */
	case '5': result = call(136, 0x40000, 0, 0); break;
	}
	call(252, result < 0 ? -result : 0, 0, 0);
}

__asm__(".globl _start\n_start: mov %esp, %eax\n push %eax\n call begin\n");
