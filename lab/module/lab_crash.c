// SPDX-License-Identifier: GPL-2.0
/*
 * Crashes on request, as faulty drivers do: echo KIND >/sys/kernel/debug/lab_crash. Every fault has a function of its own.
 */
#include <linux/debugfs.h>
#include <linux/delay.h>
#include <linux/module.h>
#include <linux/preempt.h>
#include <linux/string.h>
#include <linux/uaccess.h>

struct lab_device {
	char padding[0x18];
	int register_value;
};

static struct lab_device *lab_device;
static struct dentry *lab_file;

static noinline int lab_read_register(void)
{
	return READ_ONCE(READ_ONCE(lab_device)->register_value);
}

static noinline void lab_check_state(void)
{
	BUG_ON(!READ_ONCE(lab_device));
}

static noinline void lab_wait_for_device(void)
{
	/* As under a spinlock: nothing else gets this CPU, but interrupts do. */
	preempt_disable();
	while (!READ_ONCE(lab_device))
		cpu_relax();
	preempt_enable();
}

static noinline void lab_give_up(void)
{
	panic("lab_crash: the device is gone");
}

static ssize_t lab_write(struct file *file, const char __user *from, size_t count, loff_t *at)
{
	char kind[16] = "";

	if (count >= sizeof(kind))
		return -EINVAL;
	if (copy_from_user(kind, from, count))
		return -EFAULT;
	strim(kind);
	if (!strcmp(kind, "null"))
		pr_info("lab_crash: %d\n", lab_read_register());
	else if (!strcmp(kind, "bug"))
		lab_check_state();
	else if (!strcmp(kind, "softlockup"))
		lab_wait_for_device();
	else if (!strcmp(kind, "panic"))
		lab_give_up();
	else
		return -EINVAL;
	return count;
}

static const struct file_operations lab_operations = {
	.owner = THIS_MODULE,
	.open = simple_open,
	.write = lab_write,
};

static int __init lab_crash_init(void)
{
	lab_file = debugfs_create_file("lab_crash", 0200, NULL, NULL, &lab_operations);
	return PTR_ERR_OR_ZERO(lab_file);
}

static void __exit lab_crash_exit(void)
{
	debugfs_remove(lab_file);
}

module_init(lab_crash_init);
module_exit(lab_crash_exit);
MODULE_DESCRIPTION("Crashes on request");
MODULE_LICENSE("GPL");
