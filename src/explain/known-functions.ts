// Lists functions that every crash of a kind has on its stack, by their short names: those that report a failure and
// end the process, those that a process or thread begins with, and those that only call another one. Of the C library
// it lists only exported ones: a stripped one has no others.

/** What the C library, C++, Rust, Go, Python, Node, Java and GLib call on the way to the end. */
const FAILURES: readonly RegExp[] = [
  /^(?:gsignal|raise|abort|kill|tgkill|__restore_sigs|__restore_rt|__kernel_rt_sigreturn|__default_sa_restorer)$/u,
  /^(?:__)?(?:GI_)?_*(?:pthread_kill|pthread_kill_implementation|pthread_kill_internal|raise|abort)$/u,
  /^__assert|^_?_?assert_fail|^__libc_(?:message|fatal)|^malloc_printerr$|^__fortify_fail|^__chk_fail$|^__stack_chk_fail/u,
  /^__\w+_chk$/u,
  /^std::terminate$|^__cxxabiv1::__terminate|^__gnu_cxx::__verbose_terminate_handler$|^__cxa_(?:throw|rethrow|pure_virtual|bad_cast|bad_typeid|call_unexpected|call_terminate)$/u,
  /^__gxx_personality_v0$|^_Unwind_|^std::unexpected$|^std::__throw_|^__clang_call_terminate$|^std::__terminate|^abort_message$|^demangling_terminate_handler/u,
  /^(?:__rustc::)?(?:rust_begin_unwind|rust_panic|__rust_start_panic|__rust_abort|rust_oom|__rg_oom|__rust_alloc_error_handler)$/u,
  /^(?:core|std)::panicking::(?!catch_unwind|try)|^core::(?:option|result)::(?:\w+_failed|expect_failed|unwrap_failed)$|^std::process::abort$|^core::intrinsics::abort$|^std::panic::(?:resume_unwind|panic_any)/u,
  /^std::sys::.*::(?:abort_internal|__rust_end_short_backtrace)$|^panic_abort::|^std::alloc::|^alloc::alloc::handle_alloc_error$|^core::slice::index::slice_\w+_fail/u,
  /^core::(?:str::slice_error_fail|cell::panic_already_\w+)|^core::slice::index::|^<.* as core::(?:slice::index::SliceIndex|ops::index::Index(?:Mut)?)<T>>::/u,
  /^runtime\.(?:raise|raiseproc|dieFromSignal|crash|fatalthrow|fatalpanic|gopanic|goPanic\w*|panic\w*|sigpanic\w*|throw|fatal|sighandler|sigtramp\w*|sigfwdgo|sigreturn\w*|systemstack\w*|badsignal|abort|exit|cgoSigtramp|sigPanic|preprintpanics|dopanic_m|startpanic_m)(?:\.abi0|\.func\d*)*$/u,
  /^internal\/runtime\/maps\.fatal$/u,
  /^(?:_?Py_FatalError\w*|_Py_FatalErrorFunc|fatal_error\w*|faulthandler_\w+)$/u,
  /^node::(?:Abort|Assert|OnFatalError|OOMErrorHandler|FatalError|FatalException|PrintException|TriggerUncaughtException|errors::TriggerUncaughtException|DumpBacktrace\w*|ReallyExit)$|^V8_Fatal$|^v8::(?:base::OS::Abort|Utils::ReportOOMFailure|Utils::ReportApiFailure|internal::V8::FatalProcessOutOfMemory|internal::Heap::FatalProcessOutOfMemory)$/u,
  /^(?:os::abort|os::die|VMError::\w+|report_vm_error|report_vm_out_of_memory|report_fatal|JVM_handle_linux_signal|javaSignalHandler|signalHandler|crash_handler|PosixSignals::\w+)$/u,
  /^g_(?:log\w*|assertion_message\w*|error|abort|return_if_fail_warning)$|^QMessageLogger::fatal$|^qFatal$|^google::LogMessage|^absl::.*LogMessage|^folly::detail::ScopeGuard/u,
];

const STARTS: readonly RegExp[] = [
  /^(?:_start|__libc_start_main\w*|__libc_start_call_main|_start_c|libc_start_main_stage2|_dl_start\w*)$/u,
  /^(?:__)?clone3?$|^start_thread$|^__start_thread$|^__clone_internal$|^start$/u,
  /^runtime\.(?:goexit\d?|rt0_go|mstart\d?)(?:\.abi0)?$/u,
];

/** Between a thread's beginning and its own function: std::thread, lang_start, closures that are called. */
const GLUE: readonly RegExp[] = [
  /^execute_native_thread_routine$|^std::thread::_(?:State_impl|Invoker)|^std::__invoke|^std::invoke|^std::_Function_handler|^std::function<T>::operator/u,
  /^std::rt::|^std::panicking::(?:catch_unwind|try)|^std::sys::.*(?:thread_start|__rust_begin_short_backtrace)(?:<T>)?$|^<std::sys::.*thread_start$|^std::sys_common::backtrace::__rust_begin_short_backtrace/u,
  /^std::thread::|^core::ops::function::|^<.* as core::ops::function::Fn(?:Once|Mut)?(?:<T>)?>::call|^std::panic::catch_unwind|^__rust_try$/u,
  /^v8::internal::(?:FunctionCallbackArguments::Call|\(anonymous namespace\)::HandleApiCallHelper<T>|Builtin_HandleApiCall)$|^v8impl::/u,
  /^runtime\.(?:main|mcall|asmcgocall|newproc\w*|schedule|park_m)(?:\.abi0)?$/u,
];

/** Returns whether a function only reports a failure of its caller, such as abort or a panic. */
export function isFailureFunction(name: string): boolean {
  return FAILURES.some((pattern) => pattern.test(name));
}

const JAVASCRIPT_FAILURE =
  /^v8::internal::(?:V8::FatalProcessOutOfMemory|Isolate::CreateMessageOrAbort)$/u;

/** Returns whether a function of V8's reports a failure of the JavaScript that runs: a full heap, an exception. */
export function isJavaScriptFailure(name: string): boolean {
  return JAVASCRIPT_FAILURE.test(name);
}

/** Returns whether a function only starts a program or a thread. */
export function isStartFunction(name: string): boolean {
  return STARTS.some((pattern) => pattern.test(name));
}

/** Returns whether a function only connects two others, so that it does not show whose bug it is. */
export function isGlueFunction(name: string): boolean {
  return GLUE.some((pattern) => pattern.test(name));
}
