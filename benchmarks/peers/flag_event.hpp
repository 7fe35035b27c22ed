/* flag_event.hpp - an event made of a lock, a condition and a flag: what one writes where the library has none. */

#ifndef PEERS_FLAG_EVENT_HPP
#define PEERS_FLAG_EVENT_HPP

template <class Monitor> struct flag_event : Monitor {
    bool flag = false;
    void set()
    {
        Monitor::acquire();
        flag = true;
        Monitor::notify_all();
        Monitor::release();
    }
    void clear()
    {
        Monitor::acquire();
        flag = false;
        Monitor::release();
    }
    void wait()
    {
        Monitor::acquire();
        while (!flag)
            Monitor::wait();
        Monitor::release();
    }
};

#endif
