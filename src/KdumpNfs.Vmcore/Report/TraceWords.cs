namespace KdumpNfs.Vmcore.Report;

/// <summary>Functions that say how the kernel noticed or how it got here, not what went wrong.</summary>
internal static class TraceWords
{
    // What prints, panics, handles faults, watches: always between the fault and its report.
    private static readonly HashSet<string> Machinery = new(StringComparer.Ordinal)
    {
        "dump_stack", "dump_stack_lvl", "__dump_stack", "show_stack", "dump_backtrace", "unwind_backtrace", "show_regs", "show_trace_log_lvl", "show_call_trace",
        "panic", "vpanic", "nmi_panic", "_printk", "printk", "vprintk", "vprintk_emit", "crash_kexec", "__crash_kexec", "machine_kexec", "oops_end", "oops_exit",
        "die", "__die", "__die_body", "die_addr", "die_kernel_fault", "no_context", "__bad_area_nosemaphore", "bad_area_nosemaphore", "bad_area", "page_fault_oops",
        "kernelmode_fixup_or_oops", "do_kern_addr_fault", "do_user_addr_fault", "__do_page_fault", "do_page_fault", "page_fault", "async_page_fault", "exc_page_fault",
        "asm_exc_page_fault", "trace_do_page_fault", "trace_page_fault", "do_trap", "do_error_trap", "do_invalid_op", "invalid_op", "exc_invalid_op", "asm_exc_invalid_op", "handle_bug", "report_bug", "__report_bug",
        "do_general_protection", "general_protection", "exc_general_protection", "asm_exc_general_protection", "do_divide_error", "divide_error", "exc_divide_error", "asm_exc_divide_error",
        "do_double_fault", "double_fault", "exc_double_fault", "asm_exc_double_fault", "fixup_bug", "notify_die", "do_nmi", "nmi", "end_repeat_nmi", "default_do_nmi", "nmi_handle", "exc_nmi", "asm_exc_nmi",
        "perf_event_nmi_handler", "intel_pmu_handle_irq", "amd_pmu_handle_irq", "perf_event_overflow", "__perf_event_overflow", "watchdog_overflow_callback", "watchdog_hardlockup_check", "watchdog_check_hardlockup_hrtimer",
        "watchdog_timer_fn", "watchdog", "__hrtimer_run_queues", "__run_hrtimer", "hrtimer_interrupt", "local_apic_timer_interrupt", "smp_apic_timer_interrupt", "apic_timer_interrupt", "__sysvec_apic_timer_interrupt",
        "sysvec_apic_timer_interrupt", "asm_sysvec_apic_timer_interrupt", "warn_slowpath_common", "warn_slowpath_fmt", "warn_slowpath_null", "__warn", "__warn_printk", "check_panic_on_warn", "__stack_chk_fail", "schedule_debug",
        "el1_abort", "el1h_64_sync_handler", "el1h_64_sync", "el1_sync", "el1_irq", "el1h_64_irq", "do_mem_abort", "do_translation_fault", "__do_kernel_fault", "do_DataAbort", "__dabt_svc", "bug_handler", "brk_handler", "call_break_hook", "do_debug_exception", "el1_dbg",
        "arch_timer_handler_phys", "arch_timer_handler_virt", "handle_percpu_devid_irq", "gic_handle_irq", "call_on_irq_stack", "do_interrupt_handler", "mce_panic", "do_machine_check", "mce_reign", "mce_end", "machine_check", "exc_machine_check", "asm_exc_machine_check",
        "out_of_memory", "oom_kill_process", "check_panic_on_oom", "dump_header",
    };

    // Where every trace ends: system calls, threads, idle, boot.
    private static readonly HashSet<string> Entry = new(StringComparer.Ordinal)
    {
        "do_syscall_64", "x64_sys_call", "entry_SYSCALL_64_after_hwframe", "entry_SYSCALL_64_fastpath", "system_call_fastpath", "sysenter_do_call", "tracesys", "ret_from_fork", "ret_from_fork_asm", "ret_from_fork_nospec_begin", "ret_from_fork_nospec_end", "kthread", "kernel_thread_helper",
        "child_rip", "worker_thread", "process_one_work", "process_scheduled_works", "cpu_startup_entry", "do_idle", "start_secondary", "secondary_startup_64", "secondary_startup_64_no_verify", "common_startup_64", "start_kernel", "x86_64_start_kernel", "x86_64_start_reservations", "rest_init", "cpu_idle",
        "invoke_syscall", "el0_svc", "el0_svc_common", "do_el0_svc", "el0t_64_sync", "el0t_64_sync_handler", "el0_sync", "el0_sync_handler", "el0_svc_naked", "ret_fast_syscall", "ret_to_user", "secondary_start_kernel", "smpboot_thread_fn",
        "do_softirq_own_stack", "call_softirq", "irq_exit", "irq_exit_rcu", "__irq_exit_rcu", "asm_common_interrupt", "common_interrupt", "do_IRQ", "ret_from_intr",
    };

    // Helpers that die for what their caller did; in a hung task's trace, what waits.
    private static readonly HashSet<string> Waiting = new(StringComparer.Ordinal)
    {
        "__switch_to", "__schedule", "schedule", "schedule_timeout", "schedule_preempt_disabled", "io_schedule", "io_schedule_timeout", "schedule_hrtimeout_range", "wait_for_completion", "wait_for_common",
    };

    /// <summary>Whether a function only reports.</summary>
    public static bool IsMachinery(string function) => Machinery.Contains(FunctionName.Normalize(function));

    /// <summary>Whether a function is only how the kernel was entered.</summary>
    public static bool IsEntry(string function) => Entry.Contains(FunctionName.Normalize(function));

    /// <summary>Whether a function only waits.</summary>
    public static bool IsWaiting(string function) => Waiting.Contains(FunctionName.Normalize(function));
}

/// <summary>Names of functions without what compilers add.</summary>
internal static class FunctionName
{
    private static readonly string[] Suffixes = ["cold", "isra", "constprop", "part", "llvm", "lto_priv", "localalias", "warm", "cfi_jt", "cfi", "__uniq", "ipa_ra", "str"];

    /// <summary>Takes suffixes of clones off: do_exit.cold, nmi_handle.isra.0, alloc.constprop.146, gic_handle_irq.32241, foo.llvm.1234.</summary>
    public static string Normalize(string function)
    {
        for (var dot = function.LastIndexOf('.'); dot > 0; dot = function.LastIndexOf('.'))
        {
            var tail = function.AsSpan(dot + 1);
            var isNumber = tail.Length > 0 && tail.IndexOfAnyExceptInRange('0', '9') < 0;
            if (!isNumber && !Array.Exists(Suffixes, s => function.AsSpan(dot + 1).SequenceEqual(s)))
            {
                break;
            }

            function = function[..dot];
        }

        return function;
    }
}
