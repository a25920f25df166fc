'use strict';
// Slots that the files of this folder share on each other's objects.
module.exports = {
  kAccepted: Symbol('accepted connection'),      // TLSSocket option: the handle of an accepted connection
  kALPNCallback: Symbol('ALPNCallback'),
  kConfigure: Symbol('configure'),               // Server: tell the native listener what is wanted now
  kConnectOptions: Symbol('connect options'),
  kErrorEmitted: Symbol('error emitted'),
  kPendingSession: Symbol('pending session'),
  kPskCallback: Symbol('pskCallback'),
  kPskIdentityHint: Symbol('pskIdentityHint'),
  kSniTable: Symbol('SNI table'),
  kTakeOver: Symbol('take over'),                // accepted raw socket: give up the native connection
  kVerified: Symbol('verified'),
};
