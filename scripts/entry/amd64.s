# What the executable begins with, for x86-64: a call by a container runtime (CNI_COMMAND is set) gets one variable more, and
# then begins as the runtime would have. rdx holds the dynamic linker's end and stays. The two zeros at the end are filled in by
# scripts/entry.ts: the address of environ, and the entry that was.
        mov     r8, rsp                 # argc, argv, null, envp, null
        mov     rcx, [r8]
        lea     r9, [r8 + rcx*8 + 16]   # envp
        movabs  r10, 0x4d4d4f435f494e43 # "CNI_COMM"
        xor     r11d, r11d
next:   mov     rax, [r9]
        test    rax, rax
        jz      counted
        cmp     [rax], r10
        jne     other
        inc     r11d
other:  add     r9, 8
        jmp     next
counted:
        test    r11d, r11d
        jz      begin
        mov     rax, r9
        sub     rax, r8                 # bytes of argc, argv, null, envp
        lea     rdi, [rax + 16]
        sub     rsp, rdi
        and     rsp, -16
        mov     rdi, rsp
        mov     rsi, r8
        mov     r8, rcx
        mov     rcx, rax
        shr     rcx, 3
        rep     movsq
        lea     rax, [rip + variable]
        mov     [rdi], rax
        mov     qword ptr [rdi + 8], 0
        lea     rax, [rsp + r8*8 + 16]
        mov     rcx, [rip + environ]
        mov     [rcx], rax
begin:  jmp     [rip + entry]
variable:
        .asciz  "BUN_JSC_useJIT=0"
        .balign 8
environ: .quad  0
entry:  .quad   0
