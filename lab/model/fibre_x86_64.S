/* fibre_x86_64.S - switching stacks and thread pointers on x86-64; see fibre.h. */

    .text

/* uintptr_t fibre_thread_pointer(void) */
    .globl fibre_thread_pointer
    .type fibre_thread_pointer, @function
fibre_thread_pointer:
    mov %fs:0, %rax
    ret
    .size fibre_thread_pointer, .-fibre_thread_pointer

/* void *fibre_first_frame(char *top, void (*function)(void)): six registers, where to go, and no caller of that. */
    .globl fibre_first_frame
    .type fibre_first_frame, @function
fibre_first_frame:
    lea -64(%rdi), %rax
    xor %ecx, %ecx
    mov %rcx, (%rax)
    mov %rcx, 8(%rax)
    mov %rcx, 16(%rax)
    mov %rcx, 24(%rax)
    mov %rcx, 32(%rax)
    mov %rcx, 40(%rax)
    mov %rsi, 48(%rax)
    mov %rcx, 56(%rax)
    ret
    .size fibre_first_frame, .-fibre_first_frame

/* void fibre_switch(struct fibre *from, const struct fibre *to) */
    .globl fibre_switch
    .type fibre_switch, @function
fibre_switch:
    push %rbp
    push %rbx
    push %r12
    push %r13
    push %r14
    push %r15
    mov %rsp, (%rdi)
    mov (%rsi), %rsp
    mov 8(%rsi), %rsi
    cmpl $0, fibre_by_instruction(%rip)
    je 1f
    wrfsbase %rsi
    jmp 2f
1:  mov $158, %eax              /* arch_prctl(ARCH_SET_FS, thread pointer) */
    mov $0x1002, %edi
    syscall
2:  pop %r15
    pop %r14
    pop %r13
    pop %r12
    pop %rbx
    pop %rbp
    ret
    .size fibre_switch, .-fibre_switch

/* void fibre_call(char *top, void (*function)(uintptr_t, size_t), uintptr_t, size_t) */
    .globl fibre_call
    .type fibre_call, @function
fibre_call:
    push %rbp
    mov %rsp, %rbp
    mov %rdi, %rsp
    mov %rsi, %rax
    mov %rdx, %rdi
    mov %rcx, %rsi
    call *%rax
    mov %rbp, %rsp
    pop %rbp
    ret
    .size fibre_call, .-fibre_call

    .section .note.GNU-stack, "", @progbits
