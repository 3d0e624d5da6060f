package main

import (
	"errors"
	"fmt"
	"net"
	"strconv"

	"github.com/menshen/menshen/internal/rig"
)

// pages are where the east gate, the west gate, the school's collector and the
// district's are served.
type pages [4]net.Listener

// listenAll listens at an address and the ports behind it; port 0 takes any
// four.
func listenAll(addr string) (p pages, err error) {
	host, number, err := net.SplitHostPort(addr)
	if err != nil {
		return p, fmt.Errorf("--listen: %w", err)
	}
	port, err := strconv.ParseUint(number, 10, 16)
	if err != nil || port+uint64(len(p)) > 1<<16 {
		return p, fmt.Errorf("--listen %s: no port with %d behind it", addr, len(p)-1)
	}
	for i := range p {
		at := net.JoinHostPort(host, strconv.FormatUint(port, 10))
		if p[i], err = net.Listen("tcp", at); err != nil {
			return p, errors.Join(fmt.Errorf("%w: choose other ports with --listen", err), p.close())
		}
		if port > 0 {
			port++
		}
	}
	return p, nil
}

func (p pages) close() error {
	var errs []error
	for _, l := range p {
		if l != nil {
			errs = append(errs, l.Close())
		}
	}
	return errors.Join(errs...)
}

// urls are what to type into a browser. On the machine itself every page has a
// name of its own, because browsers keep cookies by name and not by port: who
// signs on at one page would be signed off at another.
func (p pages) urls() (urls [4]string) {
	names := [4]string{"127.0.0.1", "localhost", rig.SchoolHost, rig.DistrictHost}
	for i, l := range p {
		at := l.Addr().(*net.TCPAddr)
		host := names[i]
		if !at.IP.Equal(net.IPv4(127, 0, 0, 1)) {
			host = at.IP.String()
		}
		urls[i] = "http://" + net.JoinHostPort(host, strconv.Itoa(at.Port)) + "/"
	}
	return urls
}
