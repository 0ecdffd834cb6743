import { expect, test } from "bun:test";
import { shortName } from "../../../src/explain/short-name.ts";

test.each([
  ["main", "main"],
  ["_ZN3app6WorkerISsE3getEm", "app::Worker<T>::get"],
  [
    "_ZN3app6WorkerINSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEEE3getEm",
    "app::Worker<T>::get",
  ],
  ["_ZN3app6WorkerIiEC2Ev", "app::Worker<T>::Worker"],
  ["_ZN3app7DerivedD0Ev", "app::Derived::~Derived"],
  [
    "_ZN3app4findINSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEEiEET0_RSt3mapIT_S7_St4lessIS8_ESaISt4pairIKS8_S7_EEERSC_PVi",
    "app::find<T>",
  ],
  ["_ZL3runv", "run"],
  ["_ZNSt6vectorIiSaIiEE14_M_range_checkEm", "std::vector<T>::_M_range_check"],
  ["_ZZ4mainENKUlvE_clEv", "main::{lambda}::operator()"],
  ["_ZZ4mainENKUlvE0_clEv", "main::{lambda}::operator()"],
  ["_ZN12_GLOBAL__N_13runEv", "(anonymous namespace)::run"],
  ["_ZN3fooB5cxx11Ev", "foo"],
  ["_ZTv0_n24_N3app7Derived4stepEv", "app::Derived::step"],
  ["_ZNSsC2ERKSs", "std::string::string"],
  [
    "_ZN4node12_GLOBAL__N_113SetLibuvInt32IXadL_Z14uv_udp_set_ttlEEEEvRKN2v820FunctionCallbackInfoINS2_5ValueEEE",
    "node::(anonymous namespace)::SetLibuvInt32<T>",
  ],
  ["_ZNSolsEi", "std::ostream::operator<<"],
  ["_ZNKSt3mapIiiSt4lessIiESaISt4pairIKiiEEE4findERS3_", "std::map<T>::find"],
  ["_ZN4core9panicking9panic_fmt17h0123456789abcdefE", "core::panicking::panic_fmt"],
  ["_ZN1r15Worker$LT$T$GT$3get17h070f1d679c46c05fE", "r::Worker<T>::get"],
  ["_ZN4main28_$u7b$$u7b$closure$u7d$$u7d$17hc3dd4829df42297eE", "main::{{closure}}"],
  ["_RNvCs4fqI2P2rA04_1r4main", "r::main"],
  [
    "_RNvNtNtNtCsjrHSEGnQ3l9_3std3sys3pal4unix14abort_internal",
    "std::sys::pal::unix::abort_internal",
  ],
  ["_RNvMCs4fqI2P2rA04_1rINtB2_6WorkerNtNtCsabc_5alloc6string6StringE3get", "r::Worker<T>::get"],
  [
    "_RNCNvNtCsjrHSEGnQ3l9_3std9panicking13panic_handler0B5_",
    "std::panicking::panic_handler::{closure}",
  ],
  ["msort_with_tmp.part.0", "msort_with_tmp"],
  ["descend.constprop.0.isra.1", "descend"],
  ["__assert_fail_base.cold", "__assert_fail_base"],
  ["_ZN2os5abortEbPvPKv.cold", "os::abort"],
  ["memcpy@GLIBC_2.14", "memcpy"],
  ["main.(*Box[go.shape.int]).Get", "main.(*Box[T]).Get"],
  ["main.main.func1.2", "main.main.func"],
])("%s is %s", (symbol, short) => {
  expect(shortName(symbol)).toBe(short);
});

test.each([
  "_Z",
  "_ZN",
  "_ZNE",
  "_Z99x",
  "_RNv",
  "_RB_",
  "_RNvB0_3abc",
  `_ZN${"I".repeat(3000)}`,
  `_R${"N".repeat(3000)}`,
  `_Z${"P".repeat(3000)}`,
  "_ZNS_E",
  `_RI${"TB1_E".repeat(300)}`,
])("%p, which nobody understands, stays as it is", (symbol) => {
  expect(shortName(symbol)).toBe(symbol.slice(0, 1024));
});
